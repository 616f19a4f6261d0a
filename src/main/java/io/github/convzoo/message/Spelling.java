package io.github.convzoo.message;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** Finds the names that a misspelled one may mean. */
public final class Spelling {

    private static final int MOST = 3;

    /** A shorter beginning would fit too many names. */
    private static final int SHORTEST_BEGINNING = 3;

    private Spelling() {}

    /**
     * {@return similar names: those with the same letters and digits; else those with the fewest differences, at most
     * one per three characters; else those that start with it; at most three}
     *
     * @param wanted the misspelled name
     * @param names the names that exist
     */
    public static List<String> similar(String wanted, Collection<String> names) {
        String letters = letters(wanted);
        List<String> same = names.stream()
                .filter(name -> !letters.isEmpty() && letters(name).equals(letters))
                .toList();
        if (!same.isEmpty()) {
            return same;
        }
        String lower = wanted.toLowerCase(Locale.ROOT);
        int least = names.stream()
                .mapToInt(name -> distance(lower, name.toLowerCase(Locale.ROOT)))
                .min()
                .orElse(Integer.MAX_VALUE);
        boolean near = least <= (wanted.length() + 1) / 3;
        return names.stream()
                .filter(name -> near
                        ? distance(lower, name.toLowerCase(Locale.ROOT)) == least
                        : letters.length() >= SHORTEST_BEGINNING
                                && name.toLowerCase(Locale.ROOT).startsWith(lower))
                .sorted(Comparator.comparingInt(String::length))
                .limit(MOST)
                .toList();
    }

    /**
     * Asks whether similar names are meant, at the end of a message.
     *
     * @param wanted the misspelled name
     * @param names the names that exist
     * @return for example, {@code "; did you mean dla60 or dla60x?"}; empty if no name is similar
     */
    public static String question(String wanted, Collection<String> names) {
        List<String> similar = similar(wanted, names);
        return similar.isEmpty() ? "" : "; did you mean " + String.join(" or ", similar) + "?";
    }

    /**
     * Helps to correct a name, at the end of a message.
     *
     * @param wanted the misspelled name
     * @param names the names that exist
     * @return the {@linkplain #question question}, or all names if none is similar
     */
    public static String advice(String wanted, Collection<String> names) {
        String question = question(wanted, names);
        return question.isEmpty() ? "; choose from " + String.join(", ", names) : question;
    }

    /**
     * {@return the number of characters to insert, delete, or replace in one text to get the other: Levenshtein's
     * distance}
     *
     * @param a a text
     * @param b another
     */
    public static int distance(String a, String b) {
        int[] row = IntStream.rangeClosed(0, b.length()).toArray();
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }

    private static String letters(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
    }
}
