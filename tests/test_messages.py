"""Messages keep their values apart, so that they can be said in another language."""

import pickle

from siteselect.messages import Msg


def test_renders_in_english_and_through_a_catalogue():
    message = Msg("{count} sites in {place}", count=3, place=Msg("region"))
    words = {"{count} sites in {place}": "{count} sites en {place}", "region": "région"}
    assert str(message) == "3 sites in region"
    assert message.render(words.get) == "3 sites en région"


def test_survives_pickling_and_hashing():
    message = Msg("{km:g} km", km=5.0)
    again = pickle.loads(pickle.dumps(message))
    assert again == message
    assert hash(again) == hash(message)
    assert str(again) == "5 km"
