package dev.remora.cli;

import dev.remora.core.json.JsonWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code remora doctor}: is this machine fit, and does everything work on it. */
@Command(
        name = "doctor",
        description = "Checks the JDK, the vector unit, cores, memory, the kernels and the model.",
        footer = {"", "Examples:", "  remora doctor", "  remora doctor --json", "  remora doctor --model DIR"})
final class DoctorCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Option(names = "--json", description = "Print one JSON object: healthy, checks.")
    private boolean json;

    DoctorCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        List<Check> checks = Checks.all(() -> model.load(shell), model::name);
        boolean healthy = checks.stream().noneMatch(check -> check.verdict() == Check.Verdict.FAILED);
        if (json) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("healthy", healthy);
            object.put("remora", Version.remora());
            object.put("checks", checks.stream().map(Check::toMap).toList());
            shell.print(JsonWriter.write(object) + "\n");
        } else {
            checks.forEach(check -> shell.write(check.line(shell.outColours()) + "\n"));
            shell.flush();
        }
        return healthy ? ExitCode.OK : ExitCode.FAILURE;
    }
}
