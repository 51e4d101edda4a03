"""What tests of several areas share: servers, clocks."""
