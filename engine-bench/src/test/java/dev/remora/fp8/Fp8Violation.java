package dev.remora.fp8;

import dev.remora.models.ModelsViolation;

class Fp8Violation {
    ModelsViolation above;
}
