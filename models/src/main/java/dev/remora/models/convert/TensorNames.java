package dev.remora.models.convert;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the names of a published checkpoint of the family say. */
final class TensorNames {
    static final String SCALE_SUFFIX = "_scale_inv";

    private static final String LAYER = "(?:model|language_model\\.model|model\\.language_model)\\.layers\\.(\\d+)\\.";
    private static final String NETWORK = "(?:gate_proj|up_proj|down_proj)";

    /** What DeepSeek-V3 is published with as FP8: not embedding, head, norms, router and the extra layers' eh_proj. */
    private static final Pattern QUANTISED = Pattern.compile(LAYER
            + "(?:self_attn\\.(?:q_proj|q_a_proj|q_b_proj|kv_a_proj_with_mqa|kv_b_proj|o_proj)"
            + "|mlp\\.(?:shared_experts\\.|experts\\.\\d+\\.)?" + NETWORK + ")\\.weight");

    private static final Pattern STACK = Pattern.compile("(" + LAYER + "mlp\\.experts\\.)(gate_up_proj|down_proj)");
    private static final Pattern EXPERT = Pattern.compile(LAYER + "mlp\\.experts\\.(\\d+)\\.(.+)");
    private static final Pattern ROUTER = Pattern.compile(LAYER + "mlp\\.gate\\.weight");
    private static final Pattern LANGUAGE = Pattern.compile("(?:model\\.)?language_model\\..*");

    private TensorNames() {}

    /**
     * A tensor of one routed expert.
     *
     * @param part its name below the expert, for example {@code gate_proj.weight}
     */
    record Expert(int layer, int expert, String part) {}

    /**
     * A tensor of all routed experts of a layer.
     *
     * @param prefix of the names of the single experts
     * @param fused  whether it holds gate above up, or else down
     */
    record Stack(int layer, String prefix, boolean fused) {}

    /** True for a matrix, or a stack of matrices, that FP8 checkpoints hold as FP8. */
    static boolean quantised(String name) {
        return QUANTISED.matcher(name).matches() || stack(name).isPresent();
    }

    /** True for a matrix that BF16 checkpoints hold as BF16: of the language model, and not its router. */
    static boolean rounded(String name, boolean nested) {
        return (!nested || LANGUAGE.matcher(name).matches())
                && !ROUTER.matcher(name).matches();
    }

    static Optional<Stack> stack(String name) {
        Matcher m = STACK.matcher(name);
        return m.matches()
                ? Optional.of(
                        new Stack(number(m.group(2)), m.group(1), m.group(3).equals("gate_up_proj")))
                : Optional.empty();
    }

    static Optional<Expert> expert(String name) {
        Matcher m = EXPERT.matcher(name);
        return m.matches()
                ? Optional.of(new Expert(number(m.group(1)), number(m.group(2)), m.group(3)))
                : Optional.empty();
    }

    /** Far above every released model; a longer number would be no layer and no expert. */
    private static int number(String digits) {
        return digits.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(digits);
    }
}
