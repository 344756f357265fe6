/**
 * From stored tensors to weights in memory, whatever their format. Start at {@link dev.remora.models.weights.WeightLoader}.
 */
package dev.remora.models.weights;
