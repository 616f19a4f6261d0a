package io.github.convzoo.nn;

import ai.djl.basicmodelzoo.basic.Mlp;
import ai.djl.basicmodelzoo.cv.classification.AlexNet;
import ai.djl.basicmodelzoo.cv.classification.GoogLeNet;
import ai.djl.basicmodelzoo.cv.classification.LeNet;
import ai.djl.basicmodelzoo.cv.classification.MobileNetV1;
import ai.djl.basicmodelzoo.cv.classification.MobileNetV2;
import ai.djl.basicmodelzoo.cv.classification.NiN;
import ai.djl.basicmodelzoo.cv.classification.ResNetV1;
import ai.djl.basicmodelzoo.cv.classification.SqueezeNet;
import ai.djl.basicmodelzoo.cv.classification.VGG;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import io.github.convzoo.network.Reference;
import java.util.function.Supplier;

/**
 * Networks of DJL's model zoo, none of which ConvZoo knows; as narrow as their builders allow, so that tests are fast.
 */
@SuppressWarnings("ImmutableEnumChecker") // nobody changes the shapes
public enum ForeignNetwork {
    RESNET(new Shape(1, 3, 64, 64), () -> resnet(18, new Shape(3, 64, 64))),
    RESNET_OF_SMALL_IMAGES(new Shape(1, 1, 28, 28), () -> resnet(20, new Shape(1, 28, 28))),
    MOBILENET_V1(
            new Shape(1, 3, 64, 64), () -> MobileNetV1.builder().setOutSize(7).build()),
    MOBILENET_V2(
            new Shape(1, 3, 64, 64), () -> MobileNetV2.builder().setOutSize(7).build()),
    VGG_11(new Shape(1, 3, 32, 32), () -> VGG.builder()
            .setConvArch(new int[][] {{1, 8}, {1, 16}, {2, 16}, {2, 24}, {2, 24}})
            .setOutSize(7)
            .build()),
    GOOGLENET(new Shape(1, 3, 64, 64), () -> GoogLeNet.builder().setOutSize(7).build()),
    SQUEEZENET(new Shape(1, 3, 64, 64), () -> SqueezeNet.squeezenet(7)),
    ALEXNET(new Shape(1, 3, 67, 71), () -> AlexNet.builder()
            .setNumChannels(new int[] {16, 24, 32, 32, 24, 64, 48})
            .setOutSize(7)
            .build()),
    LENET(new Shape(1, 1, 28, 28), () -> LeNet.builder().setOutSize(7).build()),
    NIN(
            new Shape(1, 3, 67, 67),
            () -> NiN.builder().setNumChannels(new int[] {16, 24, 32, 7}).build()),
    MLP(new Shape(1, 3, 8, 8), () -> new Mlp(3 * 8 * 8, 7, new int[] {20, 10}));

    private final Shape input;
    private final Supplier<Block> builder;

    ForeignNetwork(Shape input, Supplier<Block> builder) {
        this.input = input;
        this.builder = builder;
    }

    private static Block resnet(int layers, Shape image) {
        return ResNetV1.builder()
                .setNumLayers(layers)
                .setImageShape(image)
                .setOutSize(7)
                .build();
    }

    /** The shape of its input, for one sample. */
    public Shape input() {
        return input;
    }

    /** A new network; its weights come from their names. */
    public Block initialized(NDManager manager) {
        Block block = builder.get();
        Reference.initialize(block, manager, name() + "/", input);
        block.freezeParameters(true);
        return block;
    }
}
