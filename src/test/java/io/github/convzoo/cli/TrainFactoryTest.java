package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.Network;
import io.github.convzoo.train.Annealing;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TrainFactoryTest {

    private static final Network DYNAMIC = AlexNetVariant.ALEXNET_DY.build();

    private static Optional<Annealing> usual(int epochs) {
        TrainOptions plan = new TrainOptions();
        plan.model = "alexnet_dy";
        plan.epochs = epochs;
        return new TrainFactory(plan).recipe(DYNAMIC, 100, new int[] {1}).annealing();
    }

    @Test
    void annealing_unlessItIsGiven_reachesOneHalfWay() {
        assertThat(usual(1)).isEmpty();
        for (int epochs = 2; epochs < 50; epochs++) {
            Annealing annealing = usual(epochs).orElseThrow();
            assertThat(annealing.at(0)).as("%d epochs", epochs).isEqualTo(30);
            assertThat(annealing.at((epochs + 1) / 2)).as("%d epochs", epochs).isEqualTo(1);
        }
        assertThat(usual(10)).contains(new Annealing(30, 1, 5));
        assertThat(usual(20)).contains(Annealing.PAPER);
        assertThat(usual(200)).contains(Annealing.PAPER);
    }
}
