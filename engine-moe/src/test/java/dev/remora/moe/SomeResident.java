package dev.remora.moe;

import dev.remora.core.SwiGlu;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Experts of which some are in memory, some arrive when they are waited for, and some have a copy in FP8. */
final class SomeResident implements ExpertStore {
    final Set<Integer> resident = new TreeSet<>();
    /** Those that come before any deadline once they were asked for. */
    final Set<Integer> quick = new HashSet<>();

    final List<SwiGlu> experts;
    final Map<Integer, SwiGlu> substitutes;
    final List<List<Integer>> requests = new ArrayList<>();
    final List<Integer> acquired = new ArrayList<>();
    long loadNanos;
    long waitedUntil;

    SomeResident(Set<Integer> resident) {
        this(resident, List.of(), Map.of());
    }

    SomeResident(Set<Integer> resident, List<SwiGlu> experts, Map<Integer, SwiGlu> substitutes) {
        this.resident.addAll(resident);
        this.experts = experts;
        this.substitutes = substitutes;
    }

    @Override
    public int acquire(int layer, int[] ids, int from, int to, SwiGlu[] into) {
        for (int i = from; i < to; i++) {
            into[i - from] = experts.get(ids[i]);
            acquired.add(ids[i]);
        }
        return to - from;
    }

    @Override
    public void release(int layer, int[] ids, int from, int to) {}

    @Override
    public boolean resident(int layer, int expert) {
        return resident.contains(expert);
    }

    @Override
    public long loadNanos(int layer) {
        return loadNanos;
    }

    @Override
    public void prefetch(int layer, int[] ids, int count) {
        List<Integer> request = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            request.add(ids[i]);
        }
        requests.add(request);
    }

    @Override
    public boolean await(int layer, int expert, long deadlineNanos) {
        waitedUntil = deadlineNanos;
        if (requests.stream().anyMatch(r -> r.contains(expert)) && quick.contains(expert)) {
            resident.add(expert);
        }
        return resident.contains(expert);
    }

    @Override
    public Optional<SwiGlu> substitute(int layer, int expert) {
        return Optional.ofNullable(substitutes.get(expert));
    }
}
