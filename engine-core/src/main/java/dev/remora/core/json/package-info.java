/**
 * One small JSON reader for all files of a checkpoint: streaming underneath (jackson-core), plain maps and lists on top.
 * Start at {@link dev.remora.core.json.Json}.
 */
package dev.remora.core.json;
