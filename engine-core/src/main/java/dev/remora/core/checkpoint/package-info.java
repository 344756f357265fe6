/**
 * The files of a Hugging Face checkpoint: where they live, safetensors, shards and their index.
 *
 * <p>Start at {@link dev.remora.core.checkpoint.Checkpoint#open}: a {@link dev.remora.core.checkpoint.CheckpointSource}
 * (a folder, or the class path) gives mapped files, {@code Safetensors} validates each header wholly, and {@link
 * dev.remora.core.checkpoint.CheckpointScope} walks the names as folders and remembers which were used.
 *
 * <p>Never here: what a tensor means, its decoding, the names of a model family, {@code config.json}.
 */
package dev.remora.core.checkpoint;
