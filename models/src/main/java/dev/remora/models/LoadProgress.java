package dev.remora.models;

/**
 * How far loading is.
 *
 * @param bytesDone bytes of weights read and repacked so far
 * @param bytesTotal bytes of weights in all
 * @param what is being done, for people, for example {@code loading weights}
 */
public record LoadProgress(long bytesDone, long bytesTotal, String what) {}
