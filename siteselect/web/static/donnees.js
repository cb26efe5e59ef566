// donnees
