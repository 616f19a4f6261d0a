package io.github.convzoo.zoo;

import io.github.convzoo.image.Area;
import java.util.Optional;

/**
 * Where an image has evidence for a class, from {@link Explainer}.
 *
 * @param classNumber the explained class
 * @param className its name
 * @param probability the class's probability, from 0 to 1
 * @param predicted whether it is the most probable class
 * @param layer the layer of the map, for Grad-CAM; empty for the class activation map of the last feature map
 * @param map the contribution of each position to the class's logit
 * @param area the part of the image that the map covers, which is the network's input; it may extend beyond the image
 * @param imageWidth the image's width in pixels
 * @param imageHeight the image's height in pixels
 */
public record Explanation(
        int classNumber,
        String className,
        double probability,
        boolean predicted,
        Optional<String> layer,
        ActivationMap map,
        Area area,
        int imageWidth,
        int imageHeight) {

    /**
     * {@return the interpolated contribution at a point of the image; NaN outside the area, which the network did not
     * see}
     *
     * @param x the point's distance from the image's left edge in pixels; a pixel's center is at one half
     * @param y the point's distance from the image's top edge in pixels
     */
    public float at(double x, double y) {
        return area.contains(x, y)
                ? map.at((x - area.left()) / area.width(), (y - area.top()) / area.height())
                : Float.NaN;
    }

    /**
     * {@return the interpolated contribution of each pixel of the image: image height times image width values, row by
     * row; NaN outside the area}
     */
    public float[] upsampled() {
        float[] values = new float[Math.multiplyExact(imageWidth, imageHeight)];
        for (int y = 0; y < imageHeight; y++) {
            for (int x = 0; x < imageWidth; x++) {
                values[y * imageWidth + x] = at(x + 0.5, y + 0.5);
            }
        }
        return values;
    }
}
