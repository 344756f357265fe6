package dev.remora.moe;

import dev.remora.mla.MlaViolation;

class MoeViolation {
    MlaViolation sibling;
}
