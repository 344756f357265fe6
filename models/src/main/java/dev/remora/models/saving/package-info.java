/**
 * Checkpoints on their way to disk, whole or not at all, whatever their tensors are made of. Start at {@link
 * dev.remora.models.saving.CheckpointFolder}.
 *
 * <p>Never here: what the tensors mean, formats of numbers.
 */
package dev.remora.models.saving;
