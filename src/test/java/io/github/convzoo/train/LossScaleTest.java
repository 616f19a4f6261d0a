package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import org.junit.jupiter.api.Test;

class LossScaleTest {

    @Test
    void scale_afterAnySteps_isThatOfPyTorchsGradScaler() {
        JsonArray cases = TrainingFixtures.read("loss_scale").getAsJsonArray("cases");
        assertThat(cases).hasSize(3);
        for (JsonElement each : cases) {
            JsonObject trajectory = each.getAsJsonObject();
            LossScale scale = new LossScale(Math.pow(2, trajectory.get("start").getAsDouble()), 0, 0);
            long skipped = 0;
            for (JsonElement element : trajectory.getAsJsonArray("runs")) {
                JsonArray run = element.getAsJsonArray();
                int steps = run.get(0).getAsInt();
                boolean finite = run.get(1).getAsInt() == 0;
                for (int i = 0; i < steps; i++) {
                    scale = scale.after(finite);
                }
                skipped += finite ? 0 : steps;
                assertThat(scale)
                        .isEqualTo(new LossScale(
                                Math.pow(2, run.get(2).getAsDouble()),
                                run.get(3).getAsInt(),
                                skipped));
            }
        }
    }

    @Test
    void scale_atTheBeginning_isPyTorchsDefault() {
        assertThat(LossScale.INITIAL).isEqualTo(new LossScale(65536, 0, 0));
    }

    @Test
    void scale_isExhausted_onlyBelow1() {
        assertThat(new LossScale(1, 0, 0).isExhausted()).isFalse();
        assertThat(new LossScale(1, 0, 0).after(false).isExhausted()).isTrue();
        assertThat(new LossScale(2, 0, 0).after(false).isExhausted()).isFalse();
    }

    @Test
    void scale_ofImpossibleValues_isRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new LossScale(0, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new LossScale(Double.NaN, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new LossScale(Double.POSITIVE_INFINITY, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new LossScale(1, -1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new LossScale(1, 2000, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new LossScale(1, 0, -1));
    }
}
