package io.github.convzoo.image;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.convzoo.message.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Parses the class names in a text: one per line, optionally numbered, or JSON. A text that can be read in two ways is
 * refused.
 */
final class LabelText {

    /** A number, then a separator, possibly a space, and a name. */
    private static final Pattern NUMBER_FIRST = Pattern.compile("\"?(\\d{1,7})\"?\\s*([,;:\\t]|\\s)\\s*(.+)");

    /** A name, then a separator other than a space, and a number. */
    private static final Pattern NUMBER_LAST = Pattern.compile("(.+?)\\s*[,;\\t]\\s*\"?(\\d{1,7})\"?");

    /** The keys of labels in configurations of Transformers and timm. */
    private static final List<String> KEYS = List.of("id2label", "label_names", "label2id");

    private record Numbered(int number, String name) {}

    private LabelText() {}

    static List<String> names(String file, List<String> lines) throws IOException {
        String first = lines.get(0);
        if (first.startsWith("{") || first.startsWith("[")) {
            return ofJson(file, String.join("\n", lines));
        }
        int blank = lines.indexOf("");
        if (blank >= 0) {
            throw new IOException("%s: line %d is blank; write one name per line".formatted(file, blank + 1));
        }
        Optional<List<String>> numbered = numbered(file, lines);
        if (numbered.isEmpty() && lines.size() > 1 && isHeader(first)) {
            numbered = numbered(file, lines.subList(1, lines.size()));
        }
        return numbered.orElse(lines);
    }

    /** Whether a line is a column header, such as {@code index,name}. */
    private static boolean isHeader(String line) {
        Set<String> known =
                Set.of("index", "idx", "id", "number", "class", "classid", "label", "labels", "name", "classname");
        String[] columns =
                line.toLowerCase(Locale.ROOT).replaceAll("[\"_ ]", "").split("[,;\\t]", -1);
        return columns.length == 2 && known.contains(columns[0]) && known.contains(columns[1]);
    }

    private static Optional<List<String>> numbered(String file, List<String> lines) throws IOException {
        @Nullable List<Numbered> first = new ArrayList<>();
        @Nullable List<Numbered> last = new ArrayList<>();
        boolean spaces = false;
        for (String line : lines) {
            Matcher before = NUMBER_FIRST.matcher(line);
            Matcher after = NUMBER_LAST.matcher(line);
            if (first != null && before.matches()) {
                spaces |= before.group(2).equals(" ");
                first.add(new Numbered(Integer.parseInt(before.group(1)), unquoted(before.group(3))));
            } else {
                first = null;
            }
            if (last != null && after.matches()) {
                last.add(new Numbered(Integer.parseInt(after.group(2)), unquoted(after.group(1))));
            } else {
                last = null;
            }
        }
        if (first != null && spaces && !startsAtZeroOrCountsFromOne(first)) {
            // Names such as 10 dollars.
            first = null;
        }
        if (first != null && last != null) {
            List<String> names = inOrder(file, first);
            if (!names.equals(inOrder(file, last))) {
                throw new IOException(
                        "%s: '%s' can be class %d named '%s' or class %d named '%s'; write one name per line"
                                .formatted(
                                        file,
                                        lines.get(0),
                                        first.get(0).number(),
                                        first.get(0).name(),
                                        last.get(0).number(),
                                        last.get(0).name()));
            }
            return Optional.of(names);
        }
        List<Numbered> found = first == null ? last : first;
        if (found == null) {
            return Optional.empty();
        }
        List<String> names = inOrder(file, found);
        if (found == first && spaces) {
            requireLineOrder(file, found, lines);
        }
        return Optional.of(names);
    }

    /** Folders such as "10 kiwi" and "2 cat" are classes in the order of the lines. */
    private static void requireLineOrder(String file, List<Numbered> all, List<String> lines) throws IOException {
        for (int i = 0; i < all.size(); i++) {
            Numbered each = all.get(i);
            if (each.number() != i) {
                throw new IOException(
                        ("%s: '%s' in line %d can be class %d named '%s', or class %d named '%s'; sort the lines by"
                                        + " number, write commas after the numbers, or write a JSON list of names")
                                .formatted(file, lines.get(i), i + 1, each.number(), each.name(), i, lines.get(i)));
            }
        }
    }

    private static boolean startsAtZeroOrCountsFromOne(List<Numbered> all) {
        if (all.stream().anyMatch(each -> each.number() == 0)) {
            return true;
        }
        boolean different = all.stream().map(Numbered::number).distinct().count() == all.size();
        return different && all.stream().allMatch(each -> each.number() <= all.size());
    }

    private static String unquoted(String text) {
        String stripped = text.strip();
        return stripped.length() >= 2 && stripped.startsWith("\"") && stripped.endsWith("\"")
                ? stripped.substring(1, stripped.length() - 1).replace("\"\"", "\"")
                : stripped;
    }

    /** The names in the order of their numbers, which must start at 0 without gaps. */
    private static List<String> inOrder(String file, List<Numbered> all) throws IOException {
        @Nullable String[] names = new String[all.size()];
        for (Numbered each : all) {
            if (each.number() >= names.length || names[each.number()] != null) {
                throw new IOException(
                        ("%s: %s, but %d classes are numbered from 0 to %d; correct the number, or write only the"
                                        + " names, one per line in class order")
                                .formatted(
                                        file,
                                        each.number() >= names.length
                                                ? "'" + each.name() + "' has number " + each.number()
                                                : "'" + names[each.number()] + "' and '" + each.name()
                                                        + "' have number " + each.number(),
                                        names.length,
                                        names.length - 1));
            }
            names[each.number()] = each.name();
        }
        List<String> result = new ArrayList<>();
        for (Numbered ignored : all) {
            result.add(String.valueOf(names[result.size()]));
        }
        return result;
    }

    private static List<String> ofJson(String file, String text) throws IOException {
        JsonElement json;
        try {
            json = JsonParser.parseString(text);
        } catch (JsonParseException e) {
            throw new IOException(
                    file + ": starts like JSON but cannot be parsed (" + Reason.ofJson(e) + "); correct it", e);
        }
        return of(file, json);
    }

    private static List<String> of(String file, JsonElement json) throws IOException {
        if (json instanceof JsonArray array) {
            List<String> names = new ArrayList<>();
            for (JsonElement each : array) {
                names.add(name(file, each));
            }
            if (names.isEmpty()) {
                throw new IOException(file + ": no labels found; write a list of names");
            }
            return names;
        }
        JsonObject object = json.getAsJsonObject();
        for (String key : KEYS) {
            @Nullable JsonElement inner = object.get(key);
            if (inner != null && (inner.isJsonArray() || inner.isJsonObject())) {
                return of(file, inner);
            }
        }
        if (object.isEmpty()) {
            throw new IOException(file + ": no labels found; write a list of names");
        }
        boolean numbersAsKeys = object.keySet().stream().allMatch(LabelText::isNumber);
        boolean numbersAsValues = object.entrySet().stream()
                .map(Map.Entry::getValue)
                .allMatch(each -> each.isJsonPrimitive() && isNumber(each.getAsString()));
        if (!numbersAsKeys && !numbersAsValues) {
            throw unclear(file);
        }
        @Nullable List<String> byKey = numbersAsKeys ? byKey(file, object) : null;
        @Nullable List<String> byValue = numbersAsValues ? byValue(file, object) : null;
        if (byKey != null && byValue != null && !byKey.equals(byValue)) {
            Map.Entry<String, JsonElement> first = object.entrySet().iterator().next();
            throw new IOException(
                    "%s: \"%s\": %s can be class %s named '%s' or class %s named '%s'; write a list of names"
                            .formatted(
                                    file,
                                    first.getKey(),
                                    first.getValue(),
                                    first.getKey(),
                                    first.getValue().getAsString(),
                                    first.getValue().getAsString(),
                                    first.getKey()));
        }
        return byKey != null ? byKey : byValue == null ? List.of() : byValue;
    }

    private static List<String> byKey(String file, JsonObject object) throws IOException {
        List<Numbered> all = new ArrayList<>();
        for (Map.Entry<String, JsonElement> each : object.entrySet()) {
            all.add(new Numbered(Integer.parseInt(each.getKey()), name(file, each.getValue())));
        }
        return inOrder(file, all);
    }

    private static List<String> byValue(String file, JsonObject object) throws IOException {
        List<Numbered> all = new ArrayList<>();
        for (Map.Entry<String, JsonElement> each : object.entrySet()) {
            all.add(new Numbered(Integer.parseInt(each.getValue().getAsString()), each.getKey()));
        }
        return inOrder(file, all);
    }

    /** A name, or the last of several, because Keras writes a synset's identifier before it. */
    private static String name(String file, JsonElement json) throws IOException {
        JsonElement named =
                json instanceof JsonArray several && !several.isEmpty() ? several.get(several.size() - 1) : json;
        if (!named.isJsonPrimitive()) {
            throw unclear(file);
        }
        return named.getAsString();
    }

    private static IOException unclear(String file) {
        return new IOException(file
                + ": this JSON has no class names; write a list of names, or an object such as {\"0\":"
                + " \"cat\"} or {\"cat\": 0}");
    }

    private static boolean isNumber(String text) {
        return text.matches("\\d{1,7}");
    }
}
