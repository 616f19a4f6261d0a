package io.github.convzoo.cli;

import io.github.convzoo.Samples;
import io.github.convzoo.data.FashionMnist;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** Folders of real images, a folder a class. */
final class ImageFolders {

    private ImageFolders() {}

    /** The hundred images as published, 28 x 28, the folders numbered as the classes are. */
    static Path fashion28(Path folder) throws IOException {
        FashionMnist images = FashionMnist.test(Samples.FASHION_MNIST, 32);
        for (int i = 0; i < images.size(); i++) {
            Path file = folder.resolve(Integer.toString(images.label(i))).resolve(i + ".png");
            Files.createDirectories(file.getParent());
            ImageIO.write(images.image(i).toBufferedImage().getSubimage(2, 2, 28, 28), "png", file.toFile());
        }
        return folder;
    }

    /**
     * The first hundred test images of Fashion-MNIST: each fourth of a class in {@code val}, the others in {@code
     * train}.
     */
    static Path fashion(Path folder) throws IOException {
        FashionMnist images = FashionMnist.test(Samples.FASHION_MNIST, 32);
        int[] seen = new int[images.classes().size()];
        for (int i = 0; i < images.size(); i++) {
            int ofItsClass = seen[images.label(i)]++;
            String name = images.classes().get(images.label(i)).replace('/', '-');
            Path file = folder.resolve(ofItsClass % 4 == 0 ? "val" : "train")
                    .resolve(name)
                    .resolve(i + ".png");
            Files.createDirectories(file.getParent());
            ImageIO.write(images.image(i).toBufferedImage(), "png", file.toFile());
        }
        return folder;
    }
}
