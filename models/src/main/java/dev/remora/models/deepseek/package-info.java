/**
 * The DeepSeek family: its config.json and its tensors. Start at {@link dev.remora.models.deepseek.DeepSeekAssembler}.
 * The quirks of checkpoints (key names by generation, fused experts, extra prediction layers) end here.
 */
package dev.remora.models.deepseek;
