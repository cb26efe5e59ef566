// calcul
