// lots
