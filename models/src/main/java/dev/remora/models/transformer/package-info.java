/**
 * The forward pass that all families share: embedding, blocks, final norm and head. Start at {@link
 * dev.remora.models.transformer.Transformer}. Never here: names of tensors, text, threads.
 */
package dev.remora.models.transformer;
