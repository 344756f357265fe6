/**
 * A model that runs: its weights in memory, the threads that multiply them, the memory of its caches. Start at {@link
 * dev.remora.models.runtime.ModelPlan}. What serves sessions and what measures are built on it. Never here: text, sessions,
 * the order of steps.
 */
package dev.remora.models.runtime;
