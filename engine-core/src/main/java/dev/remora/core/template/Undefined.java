package dev.remora.core.template;

/**
 * The value of what is not there. It prints as nothing, is false and empty; anything else done with it is an error that
 * says what was missing.
 *
 * @param reason for example {@code 'tools' is undefined}
 */
record Undefined(String reason) {
    static Undefined name(String name) {
        return new Undefined("'" + name + "' is undefined");
    }

    static Undefined member(Object owner, Object key) {
        String type = owner == null ? "None" : Values.typeName(owner) + " object";
        return new Undefined(
                key instanceof String name
                        ? "'" + type + "' has no attribute '" + name + "'"
                        : type + " has no element " + Repr.repr(key));
    }

    PyError error() {
        return new PyError(reason);
    }

    // In Python any two undefined values are equal.
    @Override
    public boolean equals(Object other) {
        return other instanceof Undefined;
    }

    @Override
    public int hashCode() {
        return 1;
    }
}
