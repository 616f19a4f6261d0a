package io.github.convzoo.serve;

/**
 * Upper bounds of the memory that answers take while they are built, in bytes. A small request can have a large answer,
 * so that what it will take is known, and taken from the {@link MemoryBudget}, before anything is computed.
 *
 * <p>Text counts eightfold: while it is built, two arrays that grow, the finished string, and its bytes exist at once,
 * and each character takes two bytes if any is not Latin.
 */
final class AnswerCost {

    /** Whatever else an answer has, such as the names of its parts and the request's id. */
    static final long BASE = 16 << 10;

    /** A picture that explains: its pixels and its file, of at most 1024 x 1024 pixels. */
    static final long PICTURE = 12 << 20;

    private static final long TEXT = 8;

    /** A boxed number in the result, its element in JSON with a place in a list, and the longest text of a double. */
    private static final long NUMBER = 24 + 32 + TEXT * 26;

    /** The objects of an entry in JSON: a map with two nodes, and their values. */
    private static final long ENTRY = 320;

    private AnswerCost() {}

    /** The results of images, before they are text. */
    static long results(ServedModel model, long images) {
        return BASE + images * model.labels().size() * 32L;
    }

    /** Lists of classes with their names: {@code {"className": ..., "probability": ...}}. */
    static long entries(ServedModel model, long images, int classes) {
        return images * (classes * (ENTRY + NUMBER + TEXT * 40) + TEXT * model.longestLabels(classes));
    }

    /** Texts with a label in each: {@code probability:number:label}, or less. */
    static long texts(ServedModel model, long images, int classes) {
        return images * (classes * (96 + TEXT * 48) + (TEXT + 1) * model.longestLabels(classes));
    }

    /** Numbers. */
    static long numbers(long count) {
        return count * NUMBER;
    }
}
