// resultat
