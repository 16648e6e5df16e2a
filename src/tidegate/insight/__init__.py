"""What we learn: is AI helping or hurting, is scrutiny keeping up. Every figure has its n and an interval."""
