"""HTTP: the door for pushed deliveries, health, and the numbers. See `docs/http.md`."""
