package dev.remora.models.synthetic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.RopeScaling;
import dev.remora.mla.MlaConfig;
import dev.remora.models.deepseek.DeepSeekConfig;
import dev.remora.models.synthetic.Specification.Precision;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.ScoringFunc;
import dev.remora.moe.TopkMethod;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names and options, and the sizes that the released models are known by. */
class SyntheticModelTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "deepseek-v2-lite                            | deepseek-v2-lite,layers=27,experts=64,dtype=bf16",
                "moonlight                                   | moonlight,layers=27,experts=64,dtype=bf16",
                "glm-4.7-flash                               | glm-4.7-flash,layers=47,experts=64,dtype=bf16",
                "deepseek-v3                                 | deepseek-v3,layers=4,experts=256,dtype=fp8",
                "deepseek-v2-lite,experts=16,dtype=fp8       | deepseek-v2-lite,layers=27,experts=16,dtype=fp8",
                "DeepSeek-V3, dtype=F32 ,experts=32,layers=61| deepseek-v3,layers=61,experts=32,dtype=f32",
            })
    void nameAndOptionsInAnyOrder(String text, String name) {
        SyntheticModel model = SyntheticModel.parse(text);
        assertEquals(name, model.name());
        assertEquals(name, SyntheticModel.parse(model.name()).name());
    }

    @Test
    void theDescriptionSaysWhatIsLeftOut() {
        assertEquals(
                "the geometry of deepseek-v3 with 4 of its 61 layers and 256 of its 256 experts, random FP8 weights",
                SyntheticModel.parse("deepseek-v3").description());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "deepseek-v4                      | there is no model \"deepseek-v4\"",
                "''                               | there is no model \"\"",
                "moonlight,depth=3                | there is no option \"depth\"",
                "moonlight,layers                 | \"layers\" is no option, or stands there twice",
                "moonlight,layers=2,layers=3      | \"layers=3\" is no option, or stands there twice",
                "moonlight,                       | \"\" is no option, or stands there twice",
                "moonlight,layers=0               | layers: expected a number from 1 to 27, found \"0\"",
                "moonlight,layers=28              | layers: expected a number from 1 to 27, found \"28\"",
                "moonlight,experts=many           | experts: expected a number from 1 to 64, found \"many\"",
                "moonlight,experts=5              | config.json: num_experts_per_tok: expected at most n_routed_experts = 5, found 6",
                "deepseek-v3,experts=12           | config.json: n_routed_experts: expected a multiple of n_group = 8, found 12",
                "moonlight,dtype=q4               | dtype: expected fp8, bf16 or f32, found \"q4\"",
            })
    void whatIsWrongAndWhatThereIs(String text, String why) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> SyntheticModel.parse(text));
        assertEquals(
                "synthetic model \"" + text + "\": " + why
                        + ". Expected one of deepseek-v2-lite, moonlight, glm-4.7-flash, deepseek-v3, and if you like"
                        + " layers=N, experts=N and dtype=fp8|bf16|f32, all with commas between them, for example"
                        + " deepseek-v2-lite,experts=16,dtype=fp8",
                e.getMessage());
    }

    /** Parameters of the released models, in billions, as their cards state them; without extra prediction layers. */
    @ParameterizedTest
    @CsvSource({
        "deepseek-v2-lite, 27, 15.7",
        "moonlight, 27, 15.96",
        "glm-4.7-flash, 47, 29.94",
        "deepseek-v3, 61, 671.0"
    })
    void wholeModelsHaveThePublishedNumberOfParameters(String name, int layers, double billions) {
        Specification all = Specification.parse(name + ",layers=" + layers);
        long parameters = new TensorPlan(all)
                .tensors().stream()
                        .filter(t -> t.content() != TensorPlan.Content.SCALES)
                        .mapToLong(TensorPlan.Planned::elements)
                        .sum();
        assertEquals(billions, parameters / 1e9, 0.03);
    }

    @Test
    void deepSeekV3IsAsPublished() {
        DeepSeekConfig config = Specification.parse("deepseek-v3,layers=61").config();
        MlaConfig mla = config.mla();
        assertEquals(
                new MoeConfig(7168, 2048, 256, 1, 8, 8, 4, ScoringFunc.SIGMOID, TopkMethod.NOAUX_TC, true, 2.5),
                config.moe().orElseThrow());
        assertEquals(128, mla.numAttentionHeads());
        assertEquals(1536, mla.qLoraRank());
        assertEquals(512 + 64, mla.cacheWidth());
        assertEquals(0.135234, mla.softmaxScale(), 1e-6);
        assertEquals(new RopeScaling.Yarn(40, 4096, 32, 1, 1, 1), config.ropeScaling());
        assertEquals(58, config.sparse().stream().filter(s -> s).count());
        assertEquals(128, config.blockSize().rows());
    }

    @Test
    void theOthersAreAsPublished() {
        DeepSeekConfig lite = Specification.parse("deepseek-v2-lite").config();
        assertEquals(
                new MoeConfig(2048, 1408, 64, 2, 6, 1, 1, ScoringFunc.SOFTMAX, TopkMethod.GREEDY, false, 1),
                lite.moe().orElseThrow());
        assertEquals(0.114721, lite.mla().softmaxScale(), 1e-6);
        DeepSeekConfig moonlight = Specification.parse("moonlight").config();
        assertEquals(2.446, moonlight.moe().orElseThrow().routedScalingFactor());
        assertEquals(0.0721688, moonlight.mla().softmaxScale(), 1e-6);
        assertEquals(8192, moonlight.maxPositionEmbeddings());
        DeepSeekConfig flash = Specification.parse("glm-4.7-flash").config();
        assertEquals(768, flash.mla().qLoraRank());
        assertEquals(1 / 16f, flash.mla().softmaxScale(), 1e-7);
        assertEquals(1e-5, flash.rmsNormEps());
    }

    @ParameterizedTest
    @ValueSource(strings = {"fp8", "bf16", "f32"})
    void thePrecisionDecidesTheBytes(String dtype) {
        SyntheticModel model = SyntheticModel.parse("deepseek-v2-lite,dtype=" + dtype);
        double perParameter = model.bytes() / 15.706e9;
        Precision precision = Precision.valueOf(dtype.toUpperCase(Locale.ROOT));
        double expected = switch (precision) {
            case FP8 -> 1.03;
            case BF16 -> 2;
            case F32 -> 4;
        };
        assertEquals(expected, perParameter, 0.01);
    }

    @Test
    void layersAndExpertsShrinkIt() {
        long all = SyntheticModel.parse("deepseek-v2-lite,dtype=fp8").bytes();
        long some =
                SyntheticModel.parse("deepseek-v2-lite,dtype=fp8,experts=16").bytes();
        assertTrue(some > all / 4 && some < all / 2, some + " of " + all);
    }
}
