"""Tests of app/routers."""
