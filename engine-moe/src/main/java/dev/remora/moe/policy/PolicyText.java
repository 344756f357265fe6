package dev.remora.moe.policy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** The text form of a policy. */
final class PolicyText {
    private static final String PARTS = "exact, topk:4, mass:0.9,kmin=2,kmax=6, capacity:1.25, noise:0.05,seed=7,"
            + " available:m=12,lambda=0.5,keep=2,loss=0.1, fallback:deadline=5ms,order=next/fp8/shared";

    private PolicyText() {}

    static RouterPolicy parse(String text) {
        RouterPolicy policy = RouterPolicy.EXACT;
        Set<String> seen = new HashSet<>();
        for (String part : text.strip().split("\\+", -1)) {
            String name = part.contains(":") ? part.substring(0, part.indexOf(':')) : part;
            String slot = name.equals("mass") || name.equals("exact") ? "topk" : name;
            if (!seen.add(slot)) {
                throw new IllegalArgumentException("policy: expected one of each part, found a second choice of "
                        + (slot.equals("topk") ? "topk, mass or exact" : slot) + ", \"" + part + "\"; leave one out");
            }
            try {
                policy = with(policy, name, part);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("policy: part \"" + part + "\": " + e.getMessage(), e);
            }
        }
        return policy;
    }

    private static RouterPolicy with(RouterPolicy policy, String name, String part) {
        Settings settings = new Settings(part.equals(name) ? "" : part.substring(name.length() + 1));
        RouterPolicy changed = switch (name) {
            case "exact" -> policy;
            case "topk" -> policy.withTopK(new TopK.Fixed(settings.integer("", "topk:4")));
            case "mass" -> policy.withTopK(adaptive(settings));
            case "capacity" -> policy.withCapacity(new Capacity(settings.number("", "capacity:1.25")));
            case "noise" ->
                policy.withNoise(new Noise(settings.number("", "noise:0.05"), settings.longInteger("seed", "0")));
            case "available" -> policy.withAvailability(availability(settings));
            case "fallback" -> policy.withFallback(fallback(settings));
            default ->
                throw new IllegalArgumentException("expected parts like " + PARTS + ", joined by +, found "
                        + (name.isEmpty() ? "an empty one" : "\"" + name + "\""));
        };
        settings.requireAllRead();
        return changed;
    }

    private static TopK adaptive(Settings settings) {
        return new TopK.Adaptive(
                settings.number("", "mass:0.9"),
                (int) settings.longInteger("kmin", "1"),
                (int) settings.longInteger("kmax", "0"),
                settings.flag("renormalize"));
    }

    private static Availability availability(Settings settings) {
        return new Availability(
                settings.integer("m", "m=12"),
                settings.number("lambda", "0.5", "lambda=0.5"),
                (int) settings.longInteger("keep", "2"),
                settings.number("loss", "0.1", "loss=0.1"));
    }

    private static Fallback fallback(Settings settings) {
        Duration deadline = duration(settings.text("deadline", "5ms"));
        List<Fallback.Step> order = new ArrayList<>();
        for (String step : settings.text("order", "next/fp8/shared").split("/", -1)) {
            order.add(Arrays.stream(Fallback.Step.values())
                    .filter(s -> word(s).equals(step))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            "order: expected steps of next, fp8, shared, joined by /, found \"" + step + "\"")));
        }
        return new Fallback(deadline, order);
    }

    private static Duration duration(String text) {
        for (Unit unit : Unit.values()) {
            String suffix = word(unit);
            String digits = text.substring(0, Math.max(0, text.length() - suffix.length()));
            if (text.endsWith(suffix) && digits.matches("\\d{1,9}")) {
                return Duration.ofNanos(Math.multiplyExact(Long.parseLong(digits), unit.nanos));
            }
        }
        throw new IllegalArgumentException(
                "deadline: expected a whole number and ms, us or s, for example 5ms, found \"" + text + "\"");
    }

    /** In the order in which a text is tried: {@code s} ends the others too. */
    private enum Unit {
        MS(1_000_000),
        US(1_000),
        NS(1),
        S(1_000_000_000);

        private final long nanos;

        Unit(long nanos) {
            this.nanos = nanos;
        }
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    static String of(TopK topK) {
        return switch (topK) {
            case TopK.Exact exact -> "exact";
            case TopK.Fixed fixed -> "topk:" + fixed.k();
            case TopK.Adaptive a ->
                "mass:" + a.mass() + ",kmin=" + a.kMin() + (a.kMax() > 0 ? ",kmax=" + a.kMax() : "")
                        + (a.renormalize() ? ",renormalize" : "");
        };
    }

    static String of(Capacity capacity) {
        return "capacity:" + capacity.factor();
    }

    static String of(Noise noise) {
        return "noise:" + noise.amplitude() + ",seed=" + noise.seed();
    }

    static String of(Availability a) {
        return "available:m=" + a.shortlist() + ",lambda=" + a.lambda() + ",keep=" + a.keep() + ",loss=" + a.maxLoss();
    }

    static String of(Fallback fallback) {
        return "fallback:deadline=" + text(fallback.deadline()) + ",order="
                + fallback.order().stream().map(PolicyText::word).collect(Collectors.joining("/"));
    }

    private static String text(Duration duration) {
        long nanos = duration.toNanos();
        for (Unit unit : List.of(Unit.MS, Unit.US)) {
            if (nanos % unit.nanos == 0) {
                return nanos / unit.nanos + word(unit);
            }
        }
        return nanos + "ns";
    }
}
