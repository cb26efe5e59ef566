"""Lists kept by hand: which stations, ports and airports count.

No package says which of its 5,796 railway stops see a high-speed train, which of its ports
load cargo, or which airfields have scheduled flights. These lists do, as known in 2024-2025
from public timetables and port authorities; they are checked against the packages at each
build, and a name that no longer matches stops it.
"""

from __future__ import annotations

HIGH_SPEED_STATIONS = """
Agde|8778127; Agen|8758600; Aix-en-Provence TGV|8731901; Aix-les-Bains—Le Revard|8774113;
Albertville|8774164; Angers St-Laud|8748400; Angoulême|8758300; Annecy|8774600;
Annemasse|8774549; Antibes|8775767; Arras|8734201; Auray|8747620; Avignon TGV|8731896;
Aéroport Paris Roissy Charles de Gaulle CDG T2|8727149; Bar-le-Duc|8717504; Bayonne|8767300;
Belfort—Montbéliard TGV|8730082; Bellegarde-sur-Valserine|8774500; Besançon Viotte|8771800;
Besançon-Franche-Comté TGV|8730086; Biarritz|8767340; Bordeaux St-Jean|8758100;
Bourg-St-Maurice|8774179; Bourg-en-Bresse|8774300; Brest|8747400; Béthune|8734200;
Béziers|8778100; Calais Fréthun|8728107; Calais Ville|8731726; Cannes|8775762;
Boulogne-sur-Mer Ville|8731758; Chalon-sur-Saône|8772500; Chambéry Challes-les-Eaux|8774100;
Champagne-Ardenne TGV|8717192; Charleville-Mézières|8717200; Châlons-en-Champagne|8717400;
Châtellerault|8757514; Colmar|8718201; Dax|8767320; Dijon Ville|8771304;
Dol-de-Bretagne|8747807; Dole Ville|8771341; Douai|8734500; Dunkerque|8728100;
Etaples—Le Touquet|8731706; Facture—Biganos|8758247; Forbach|8719300; Frasne|8771513;
Futuroscope|8732409; Grenoble|8774700; Guingamp|8747320; Haute-Picardie TGV|8731388;
Hazebrouck|8728630; Hendaye|8767700; Hyères|8775562; La Baule-Escoublac|8748175;
La Roche-sur-Yon|8748601; La Rochelle Ville|8748500; Lamballe|8747310; Laval|8747840;
Le Creusot TGV|8769410; Le Mans|8739600; Lens|8734502; Les Arcs—Draguignan|8775544;
Les Sables-d’Olonne|8748644; Libourne|8758405; Lille-Europe|8722326; Lille-Flandres|8728600;
Lorient|8747600; Lorraine TGV|8714210; Lourdes|8767133; Lyon Part-Dieu|8772319;
Lyon Perrache|8772202; Lyon St-Exupéry TGV|8776290; Marne-la-Vallée—Chessy|8711184;
Marseille St-Charles|8775100; Massy TGV|8739370; Metz|8719203; Meuse TGV|8714732;
Modane|8774200; Montauban Ville Bourbon|8761124; Montbard|8771313; Montbéliard|8718452;
Montélimar|8776400; Montpellier St-Roch|8777300; Montpellier Sud de France|8768888;
Morlaix|8747433; Moûtiers—Salins|8774172; Mulhouse|8718206; Mâcon—Loché TGV|8772570;
Nancy|8714100; Nantes|8748100; Narbonne|8778110; Nice Ville|8775605; Niort|8748530;
Nîmes Centre|8777500; Nîmes Pont du Gard|8770397; Orange|8776510; Orthez|8767225;
Paris Gare de Lyon|8768600; Paris Gare de l’Est|8711300; Paris Gare du Nord|8727100;
Paris Montparnasse|8739100; Pau|8767200; Perpignan|8778400; Poitiers|8757500;
Quimper|8747409; Quimperlé|8747631; Redon|8747130; Reims Ville|8717100; Remiremont|8714445;
Rennes|8747100; Rethel|8717227; Sablé-sur-Sarthe|8739640; Sarrebourg|8721501; Saumur|8748760;
Saverne|8721222; Sedan|8717225; St-Brieuc|8747300; St-Dié|8714401;
St-Jean-de-Luz—Ciboure|8767712; St-Maixent|8748549; St-Malo|8747810; St-Nazaire|8748170;
St-Omer|8728144; St-Pierre-des-Corps|8757124; St-Raphaël—Valescure|8775752;
St-Étienne Châteaucreux|8772600; Strasbourg|8721202; Surgères|8748522; Sète|8777320;
Tarbes|8767100; Thionville|8719100; Toulon|8775500; Toulouse Matabiau|8761100; Tours|8757100;
Tourcoing|8728654; Valence TGV|8776302; Valence Ville|8776100; Valenciennes|8734300;
Vannes|8747660; Vendôme—Villiers-sur-Loir|8757121; Vesoul|8718500; Vitry-le-François|8717427;
Vitré|8747150; Épinal|8714400
"""
"""``name|UIC`` of the stations with high-speed (TGV, Ouigo) service."""

CARGO_PORTS = {
    "FRAJA": "Ajaccio",
    "FRBAS": "Bordeaux-Bassens",
    "FRBAY": "Bayonne",
    "FRBOL": "Boulogne-sur-Mer",
    "FRBES": "Brest",
    "FRCFR": "Caen-Ouistreham",
    "FRDON": "Nantes Saint-Nazaire (Donges)",
    "FRDKK": "Dunkerque",
    "FRFEC": "Fécamp",
    "FRFOS": "Marseille-Fos (Fos-sur-Mer)",
    "FRGRV": "Dunkerque (Gravelines)",
    "FRHON": "Honfleur",
    "FRILR": "L'Île-Rousse",
    "FRLPE": "La Rochelle (La Pallice)",
    "FRLAV": "Marseille-Fos (Lavéra)",
    "FRLEH": "Le Havre",
    "FRLSO": "Les Sables-d'Olonne",
    "FRLTR": "Le Tréport",
    "FRLVE": "Bordeaux (Le Verdon)",
    "FRMRS": "Marseille",
    "FRMTX": "Nantes Saint-Nazaire (Montoir-de-Bretagne)",
    "FRNOU": "Port-la-Nouvelle",
    "FRPOV": "Port-Vendres",
    "FRPVO": "Porto-Vecchio",
    "FRPRP": "Propriano",
    "FRROS": "Roscoff-Bloscon",
    "FRURO": "Rouen",
    "FRSET": "Sète",
}
"""Cargo ports by their code in the ports file. Inland places and marinas are left out, and so
are Strasbourg, Lyon and Gennevilliers, which the file puts kilometres away from the quays."""

PORTS_AT_COMMUNES = {
    "62193": "Calais",
    "50129": "Cherbourg",
    "76217": "Dieppe",
    "35288": "Saint-Malo",
    "56121": "Lorient",
    "17299": "Rochefort",
    "83137": "Toulon",
    "06088": "Nice",
    "2B033": "Bastia",
    "22278": "Saint-Brieuc (Le Légué)",
    "67482": "Strasbourg (port du Rhin)",
}
"""Cargo ports that the ports file lacks or misplaces: at the point of their commune."""

SCHEDULED_AIRPORTS = (
    "AJA", "AUR", "BES", "BIA", "BIQ", "BOD", "BSL", "BVA", "BVE", "BZR", "CCF", "CDG", "CFE",
    "CFR", "CLY", "CMF", "DCM", "DLE", "DOL", "EGC", "ETZ", "FNI", "FSC", "GNB", "LDE", "LIG",
    "LIL", "LPY", "LRH", "LYS", "MPL", "MRS", "NCE", "NTE", "ORY", "PGF", "PIS", "PUF", "RDZ",
    "RNS", "SXB", "TLN", "TLS", "TUF", "UIP", "XCR",
)  # fmt: skip
"""IATA codes of airports with scheduled passenger flights (some seasonal). The other IATA codes
of the file are air bases, aero clubs, business or altitude airfields, or lost their flights."""
