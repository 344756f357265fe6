package dev.remora.core.template;

import java.util.List;

/**
 * The items, keys or values of a dict: they can be counted and iterated, not indexed.
 *
 * @param kind Python's name of the type
 */
record PyView(String kind, List<Object> items) {}
