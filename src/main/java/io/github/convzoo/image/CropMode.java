package io.github.convzoo.image;

import java.util.Locale;

/** How an image is resized before its center becomes a network's input; the first three are timm's crop modes. */
public enum CropMode {
    /**
     * The shorter side is resized to the input's side divided by the crop fraction; the rest of the longer side is
     * cropped.
     */
    CENTER,
    /** Both sides are resized to the input's sides divided by the crop fraction; the aspect ratio is lost. */
    SQUASH,
    /**
     * The longer side is resized to the input's side divided by the crop fraction; the rest is filled with the mean
     * color.
     */
    BORDER,
    /** No resize, and the crop fraction has no effect: the image is cropped, or padded with black. */
    UNRESIZED;

    /**
     * {@return a mode by timm's name}
     *
     * @param name center, squash, or border, in any case; or unresized
     * @throws IllegalArgumentException if there is no such mode
     */
    public static CropMode of(String name) {
        for (CropMode each : values()) {
            if (each.name().equalsIgnoreCase(name)) {
                return each;
            }
        }
        throw new IllegalArgumentException("unknown crop mode " + name + "; use center, squash, border, or unresized");
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
