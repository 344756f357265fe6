package dev.remora.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A rule over classes that were not read, or that nothing can break, would be green for ever. */
class ArchitectureSelfTest {
    /** Test classes in the packages of the other modules, each of which breaks what it can. */
    private static final JavaClasses VIOLATIONS = new ClassFileImporter()
            .withImportOption(new ImportOption.OnlyIncludeTests())
            .importPackages("dev.remora");

    @Test
    void everySourceOfEveryModuleWasRead() throws IOException {
        Set<String> sources = new TreeSet<>();
        for (String module : List.of(
                "engine-core", "engine-fp8", "engine-mla", "engine-moe", "models", "engine-cli", "engine-bench")) {
            Path root = Path.of("..", module, "src/main/java");
            if (Files.isDirectory(root)) {
                try (Stream<Path> files = Files.walk(root)) {
                    files.map(file -> root.relativize(file).toString())
                            .filter(file -> file.endsWith(".java") && !file.endsWith("-info.java"))
                            .forEach(file ->
                                    sources.add(file.replace(".java", "").replace('/', '.')));
                }
            }
        }
        assertTrue(sources.contains("dev.remora.core.json.Json"), sources::toString);
        Set<String> read = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.remora").stream()
                        .filter(c -> c.getEnclosingClass().isEmpty())
                        .map(JavaClass::getName)
                        .collect(Collectors.toCollection(TreeSet::new));
        sources.removeAll(read);
        assertEquals(Set.of(), sources, "sources whose classes ArchUnit did not read");
    }

    static Stream<Field> rules() {
        return Arrays.stream(ArchitectureTest.class.getDeclaredFields())
                .filter(field -> field.isAnnotationPresent(ArchTest.class));
    }

    @ParameterizedTest
    @MethodSource("rules")
    void everyRuleCanFail(Field rule) throws IllegalAccessException {
        assertTrue(((ArchRule) rule.get(null)).evaluate(VIOLATIONS).hasViolation());
    }
}
