// comparaison
