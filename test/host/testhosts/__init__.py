"""Test hosts: whole Debian systems in systemd-nspawn containers, with systemd as their PID 1."""
