package dev.remora.models.deepseek;

import dev.remora.core.CheckpointException;
import dev.remora.core.checkpoint.CheckpointScope;
import java.util.List;

/** Tells the tensors that the forward pass may leave unread from those that show a wrong config.json. */
final class UnusedTensors {
    private final DeepSeekConfig config;
    private final CheckpointScope root;
    private final CheckpointScope model;

    /**
     * @param root  of the checkpoint, after all tensors of the forward pass were asked for
     * @param model where the language model is
     */
    UnusedTensors(DeepSeekConfig config, CheckpointScope root, CheckpointScope model) {
        this.config = config;
        this.root = root;
        this.model = model;
    }

    /** @throws CheckpointException if there are tensors that belong to no part of the model */
    void reject() {
        List<String> strangers =
                root.unused().stream().filter(name -> !expected(name)).toList();
        if (!strangers.isEmpty()) {
            throw new CheckpointException(root.checkpoint().source().describe() + ": " + strangers.size()
                    + " tensors belong to no part of this model, for example "
                    + String.join(", ", strangers.subList(0, Math.min(3, strangers.size())))
                    + ". Are config.json and the weights from the same revision?");
        }
    }

    private boolean expected(String name) {
        String here = model.fullName("");
        if (!name.startsWith(here)) {
            // Beside the language model: a tied head's second copy, or the towers of a model that also sees.
            return config.nested() || (config.tieWordEmbeddings() && name.equals("lm_head.weight"));
        }
        if (name.endsWith("rotary_emb.inv_freq")) {
            return true;
        }
        String inside = name.substring(here.length());
        if (!inside.startsWith("layers.")) {
            return false;
        }
        String layer = inside.substring("layers.".length(), Math.max(inside.indexOf('.', 7), 7));
        return layer.chars().allMatch(Character::isDigit)
                && layer.length() < 6
                && !layer.isEmpty()
                && Integer.parseInt(layer) >= config.numHiddenLayers()
                && model.has("layers." + layer + ".eh_proj.weight");
    }
}
