package dev.remora.bench;

/** What nothing may know. */
public class BenchViolation {}
