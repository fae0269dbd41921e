"""The only place that speaks SQL or Valkey: `<noun>.py` beside `<noun>.sql`, and the migrations."""
