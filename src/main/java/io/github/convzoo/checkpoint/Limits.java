package io.github.convzoo.checkpoint;

import io.github.convzoo.message.Spelling;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Limits for reading a file. A file that exceeds one is refused with a {@link CheckpointException} that names the
 * limit, before anything is allocated for it.
 *
 * <p>{@link #DEFAULT} allows every published image classifier and its training checkpoint, and restricts a hostile file
 * to some tens of megabytes of heap. Another limit: {@code Limits.DEFAULT.with(Limit.TENSORS, 200_000)}.
 *
 * @param changed the limits that differ from their defaults
 */
public record Limits(Map<Limit, Integer> changed) {

    private static final Pattern SETTING = Pattern.compile("([A-Za-z]+) *= *([0-9]{1,10}) *([KMGkmg]?)");

    /** The default limits. */
    public static final Limits DEFAULT = new Limits(Map.of());

    /**
     * Creates limits.
     *
     * @throws IllegalArgumentException if a limit is not positive or exceeds its maximum
     */
    public Limits {
        Map<Limit, Integer> checked = new EnumMap<>(Limit.class);
        changed.forEach((limit, value) -> {
            if (limit.checked(value) != limit.usual()) {
                checked.put(limit, value);
            }
        });
        changed = Collections.unmodifiableMap(checked);
    }

    /**
     * {@return the value of a limit, at least 1}
     *
     * @param limit the limit
     */
    public int of(Limit limit) {
        Integer value = changed.get(limit);
        return value == null ? limit.usual() : value;
    }

    /**
     * {@return these limits with another value for one of them}
     *
     * @param limit the limit to change
     * @param value its new value
     * @throws IllegalArgumentException if the value is not positive or exceeds the limit's maximum
     */
    public Limits with(Limit limit, int value) {
        Map<Limit, Integer> all = new EnumMap<>(Limit.class);
        all.putAll(changed);
        all.put(limit, value);
        return new Limits(all);
    }

    /**
     * {@return these limits with another value for one of them, given as text}
     *
     * @param setting the limit's name and value, such as {@code pickleBytes=64M}; K, M and G multiply by powers of 1024
     * @throws IllegalArgumentException if the text is invalid, there is no limit of this name, or the value is out of
     *     range
     */
    public Limits with(String setting) {
        Matcher parts = SETTING.matcher(setting.strip());
        if (!parts.matches()) {
            throw new IllegalArgumentException("write a limit as NAME=NUMBER, such as pickleBytes=64M, not " + setting);
        }
        int shift = 10 * "KMG".indexOf(parts.group(3).toUpperCase(Locale.ROOT))
                + (parts.group(3).isEmpty() ? 0 : 10);
        BigInteger value = new BigInteger(parts.group(2)).shiftLeft(shift);
        Limit limit = named(parts.group(1));
        if (value.bitLength() >= Integer.SIZE) {
            throw new IllegalArgumentException(setting + " exceeds the maximum, " + limit + "=" + limit.most());
        }
        return with(limit, value.intValue());
    }

    private static Limit named(String name) {
        List<Limit> all = Arrays.asList(Limit.values());
        return all.stream()
                .filter(limit -> limit.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown limit " + name
                        + Spelling.advice(
                                name, all.stream().map(Limit::toString).toList())));
    }
}
