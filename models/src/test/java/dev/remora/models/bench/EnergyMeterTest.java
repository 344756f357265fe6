package dev.remora.models.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnergyMeterTest {
    @TempDir
    private Path powercap;

    private void zone(String name, long energy) throws IOException {
        Path zone = Files.createDirectories(powercap.resolve(name));
        Files.writeString(zone.resolve("energy_uj"), energy + "\n");
        Files.writeString(zone.resolve("max_energy_range_uj"), "10000000\n");
    }

    @Test
    void packagesAreAddedAndTheirPartsAreNot() throws IOException {
        zone("intel-rapl:0", 1_000_000);
        zone("intel-rapl:1", 9_000_000);
        zone("intel-rapl:0:0", 0);
        EnergyMeter meter = new EnergyMeter(powercap);
        meter.start();
        zone("intel-rapl:0", 1_500_000);
        zone("intel-rapl:1", 2_000_000); // began again at 0
        zone("intel-rapl:0:0", 400_000);
        assertEquals(OptionalDouble.of(0.5 + 3), meter.joules());
    }

    @Test
    void whatCannotBeReadIsUnknown() throws IOException {
        assertEquals(OptionalDouble.empty(), new EnergyMeter(powercap).joules());
        assertEquals(OptionalDouble.empty(), new EnergyMeter(powercap.resolve("none")).joules());
        zone("intel-rapl:0", 1);
        EnergyMeter meter = new EnergyMeter(powercap);
        meter.start();
        Files.writeString(powercap.resolve("intel-rapl:0/energy_uj"), "?");
        assertEquals(OptionalDouble.empty(), meter.joules());
        assertEquals(OptionalDouble.empty(), new EnergyMeter(powercap).joules());
    }
}
