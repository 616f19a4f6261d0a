package io.github.convzoo;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.ParamTree;
import com.sun.source.doctree.ReturnTree;
import com.sun.source.doctree.ThrowsTree;
import com.sun.source.tree.BlockTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExportsTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.ModuleTree;
import com.sun.source.tree.PackageTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.TypeParameterTree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Everything in the public API has complete Javadoc. This is doclint's group {@code missing}, except that a record's
 * compact constructor needs no comment, because its parameters are those of the record.
 */
class JavadocTest {

    private static final String MODULE = "/** A module. */ module m { exports a; }";

    @Test
    void publicApi_ofTheLibrary_isDocumented() throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8);
                Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            List<Path> sources = files.filter(file -> file.toString().endsWith(".java"))
                    .sorted()
                    .toList();
            List<Api> checked = checked(manager.getJavaFileObjectsFromPaths(sources));
            assertThat(checked.stream().flatMap(api -> api.missing.stream())).isEmpty();
            assertThat(checked.stream().mapToInt(api -> api.declarations).sum()).isGreaterThan(1000);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "public class A { /** Creates. */ public A() {} } | A has no comment",
                "/** Text. */ public class A {} | A has no documented constructor",
                "/** Text. */ public record A(int x) {} | A has no @param x",
                "/** Text. */ public interface A<T> {} | A has no @param <T>",
                "/** @since 1 */ public interface A {} | A has no description",
                "/** */ public interface A {} | A has no description",
                "/** Text. */ public interface A { int ONE = 1; } | ONE has no comment",
                "/** Text. */ public interface A { class B { /** Creates. */ protected B() {} } } | B has no comment",
                "/** Text. */ public enum A { ONE { } } | ONE has no comment",
                "/** Text. */ public @interface A { /** Text. */ int one(); } | one has no @return",
                "/** Text. */ public interface A { void f(); } | f has no comment",
                "/** Text. */ public interface A { /** Text. */ int f(); } | f has no @return",
                "/** Text. */ public interface A { /** Text. */ void f(int x); } | f has no @param x",
                "/** Text. */ public interface A { /** Text. */ <T> void f(); } | f has no @param <T>",
                "/** Text. */ public interface A { /** Text. */ void f() throws java.io.IOException; } "
                        + "| f has no @throws IOException",
                "/** Text. */ public class A { /** Text. */ public A(int x) {} } | A has no @param x",
                "/** Text. */ public class A { private A() {} protected void f() {} } | f has no comment",
                "/** Text. */ public class A { private A() {} public int x; } | x has no comment",
                "/** Text. */ public record A() { public A(int x) { this(); } } | A has no comment",
                "/** Text. */ public record A() { @Deprecated() public A() { } } | A has no comment",
            })
    void gap_inThePublicApi_isFound(String source, String gap) throws IOException {
        assertThat(missing("A", "package a;\n" + source)).containsExactly("/A.java:2: " + gap);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "class A { public int f() { return 1; } }",
                "class A { public class B {} }",
                "/** Text. */ public record A() { public A {} }",
                "/** Text. */ public record A() { @SuppressWarnings(\"x\") public A {} }",
                "/** Text. */ public record A() { /** @throws X if so */ public A {} }",
                "/** Text. */ public class A { private A() {} int x; @Override public int hashCode() { return 1; } }",
                "/** Text. */ public class A { private A() { class B {} } static { class C { public int x; } } }",
                "/** Text. */ public enum A { /** One. */ ONE { public int x; }; A() {} }",
                "/** Text. */ public interface A { private int f() { return 1; } }",
                "/** Text. */ public interface A { /** {@return one} */ int f(); }",
            })
    void source_withoutGap_isAccepted(String source) throws IOException {
        assertThat(missing("A", "package a;\n" + source)).isEmpty();
    }

    @Test
    void accessor_withoutComment_isFoundThoughAnnotated() throws IOException {
        assertThat(
                        missing(
                                "A",
                                """
                package a;
                /**
                 * Text.
                 *
                 * @param x a number
                 */
                public record A(int x) {
                    @Override
                    public int x() { return x; }
                }
                """))
                .containsExactly("/A.java:8: x has no comment");
    }

    @Test
    void tag_withoutDescription_isFound() throws IOException {
        assertThat(
                        missing(
                                "A",
                                """
                package a;
                /**
                 * Text.
                 *
                 * @param x
                 */
                public record A(int x) {}
                """))
                .containsExactly("/A.java:7: A has no @param x");
    }

    @Test
    void method_withAllTags_isAccepted() throws IOException {
        assertThat(
                        missing(
                                "A",
                                """
                package a;
                /** Text. */
                public interface A {
                    /**
                     * Text.
                     *
                     * @param <T> a type
                     * @param x a number
                     * @return one
                     * @throws IOException always
                     */
                    <T> int f(int x) throws java.io.IOException;
                }
                """))
                .isEmpty();
    }

    @Test
    void package_thatIsNotExported_needsNoComments() throws IOException {
        assertThat(missing("B", "package b; public class B { public int x; }")).isEmpty();
    }

    @Test
    void packageAndModule_withoutComment_areFound() throws IOException {
        assertThat(missing("package-info", "package a;")).containsExactly("/package-info.java:1: a has no comment");
        assertThat(missing("module-info", "module n { }")).containsExactly("/module-info.java:1: n has no comment");
    }

    private static List<String> missing(String name, String source) throws IOException {
        List<Api> checked = checked(List.of(new Source("module-info", MODULE), new Source(name, source)));
        return checked.stream().flatMap(api -> api.missing.stream()).toList();
    }

    /** Parses sources, of which one declares the module, and checks those that it exports. */
    private static List<Api> checked(Iterable<? extends JavaFileObject> sources) throws IOException {
        DiagnosticCollector<JavaFileObject> errors = new DiagnosticCollector<>();
        JavacTask task = (JavacTask)
                ToolProvider.getSystemJavaCompiler().getTask(null, null, errors, List.of("-proc:none"), null, sources);
        List<CompilationUnitTree> units = new ArrayList<>();
        task.parse().forEach(units::add);
        assertThat(errors.getDiagnostics()).isEmpty();
        Set<String> exported = new HashSet<>();
        for (CompilationUnitTree unit : units) {
            if (unit.getModule() != null) {
                unit.getModule().getDirectives().stream()
                        .filter(ExportsTree.class::isInstance)
                        .forEach(each -> exported.add(
                                ((ExportsTree) each).getPackageName().toString()));
            }
        }
        assertThat(exported).isNotEmpty();
        List<Api> checked = new ArrayList<>();
        for (CompilationUnitTree unit : units) {
            if (unit.getPackage() == null
                    || exported.contains(unit.getPackage().getPackageName().toString())) {
                Api api = new Api(DocTrees.instance(task), unit);
                api.scan(unit, null);
                checked.add(api);
            }
        }
        return checked;
    }

    /** A source file in memory. */
    private static final class Source extends SimpleJavaFileObject {

        private final String content;

        Source(String name, String content) {
            super(URI.create("string:///" + name + ".java"), Kind.SOURCE);
            this.content = content;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return content;
        }
    }

    /** Visits the declarations of a file that are public or protected, and notes what their comments lack. */
    private static final class Api extends TreePathScanner<Void, Void> {

        final List<String> missing = new ArrayList<>();
        int declarations;

        private final DocTrees trees;
        private final CompilationUnitTree unit;

        Api(DocTrees trees, CompilationUnitTree unit) {
            this.trees = trees;
            this.unit = unit;
        }

        @Override
        public Void visitModule(ModuleTree module, Void unused) {
            check(module, module.getName().toString(), List.of());
            return null;
        }

        @Override
        public Void visitPackage(PackageTree named, Void unused) {
            if (unit.getSourceFile().isNameCompatible("package-info", JavaFileObject.Kind.SOURCE)) {
                check(named, named.getPackageName().toString(), List.of());
            }
            return null;
        }

        @Override
        public Void visitClass(ClassTree type, Void unused) {
            if (!isVisible(type.getModifiers())) {
                return null;
            }
            List<String> tags = new ArrayList<>(typeParameters(type.getTypeParameters()));
            components(type).forEach(each -> tags.add("@param " + each));
            check(type, type.getSimpleName().toString(), tags);
            if (type.getKind() == Tree.Kind.CLASS
                    && type.getMembers().stream()
                            .noneMatch(member -> member instanceof MethodTree method && isConstructor(method))) {
                add(type, type.getSimpleName() + " has no documented constructor");
            }
            return super.visitClass(type, null);
        }

        @Override
        public Void visitVariable(VariableTree field, Void unused) {
            if (isVisible(field.getModifiers())) {
                check(field, field.getName().toString(), List.of());
            }
            return null;
        }

        @Override
        public Void visitMethod(MethodTree method, Void unused) {
            if (!isVisible(method.getModifiers()) || overrides(method) || isCompact(method)) {
                return null;
            }
            List<String> tags = new ArrayList<>(typeParameters(method.getTypeParameters()));
            method.getParameters().forEach(each -> tags.add("@param " + each.getName()));
            if (!isConstructor(method) && !method.getReturnType().toString().equals("void")) {
                tags.add("@return");
            }
            method.getThrows().forEach(each -> tags.add("@throws " + simpleName(each)));
            String name = (isConstructor(method) ? enclosing().getSimpleName() : method.getName()).toString();
            check(method, name, tags);
            return null;
        }

        @Override
        public Void visitBlock(BlockTree initializer, Void unused) {
            return null;
        }

        /** A record's components, which are its only fields that are not static. */
        private static List<String> components(ClassTree type) {
            return type.getMembers().stream()
                    .filter(member -> type.getKind() == Tree.Kind.RECORD
                            && member instanceof VariableTree field
                            && !field.getModifiers().getFlags().contains(Modifier.STATIC))
                    .map(member -> ((VariableTree) member).getName().toString())
                    .toList();
        }

        private ClassTree enclosing() {
            return (ClassTree) getCurrentPath().getParentPath().getLeaf();
        }

        private boolean isVisible(ModifiersTree modifiers) {
            Set<Modifier> flags = modifiers.getFlags();
            Tree parent = getCurrentPath().getParentPath().getLeaf();
            boolean ofInterface =
                    parent.getKind() == Tree.Kind.INTERFACE || parent.getKind() == Tree.Kind.ANNOTATION_TYPE;
            return flags.contains(Modifier.PUBLIC)
                    || flags.contains(Modifier.PROTECTED)
                    || (ofInterface && !flags.contains(Modifier.PRIVATE));
        }

        /** An accessor of a record may be annotated, but inherits no comment. */
        private boolean overrides(MethodTree method) {
            boolean isAccessor = method.getParameters().isEmpty()
                    && components(enclosing()).contains(method.getName().toString());
            return !isAccessor
                    && method.getModifiers().getAnnotations().stream()
                            .anyMatch(
                                    each -> each.getAnnotationType().toString().equals("Override"));
        }

        private static boolean isConstructor(MethodTree method) {
            return method.getReturnType() == null;
        }

        /** Only the source tells: the parser gives a compact constructor the parameters of the record. */
        private boolean isCompact(MethodTree method) {
            if (enclosing().getKind() != Tree.Kind.RECORD || !isConstructor(method)) {
                return false;
            }
            long start = trees.getSourcePositions().getEndPosition(unit, method.getModifiers());
            long end = trees.getSourcePositions().getStartPosition(unit, method.getBody());
            return !text().substring((int) start, (int) end).contains("(");
        }

        private String text() {
            try {
                return unit.getSourceFile().getCharContent(true).toString();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        private static List<String> typeParameters(List<? extends TypeParameterTree> parameters) {
            return parameters.stream()
                    .map(each -> "@param <" + each.getName() + ">")
                    .toList();
        }

        private static String simpleName(Object type) {
            String name = type.toString();
            return name.substring(name.lastIndexOf('.') + 1);
        }

        private void check(Tree declaration, String name, List<String> tags) {
            declarations++;
            DocCommentTree comment = trees.getDocCommentTree(getCurrentPath());
            if (comment == null) {
                add(declaration, name + " has no comment");
                return;
            }
            if (comment.getFullBody().isEmpty()) {
                add(declaration, name + " has no description");
            }
            Set<String> documented = documented(comment);
            for (String tag : tags) {
                if (!documented.contains(tag)) {
                    add(declaration, name + " has no " + tag);
                }
            }
        }

        /** The tags that have a description. */
        private static Set<String> documented(DocCommentTree comment) {
            List<DocTree> all = new ArrayList<>(comment.getFullBody());
            all.addAll(comment.getBlockTags());
            Set<String> documented = new HashSet<>();
            for (DocTree tag : all) {
                if (tag instanceof ParamTree each && !each.getDescription().isEmpty()) {
                    String name = each.getName().toString();
                    documented.add("@param " + (each.isTypeParameter() ? "<" + name + ">" : name));
                } else if (tag instanceof ReturnTree each
                        && !each.getDescription().isEmpty()) {
                    documented.add("@return");
                } else if (tag instanceof ThrowsTree each
                        && !each.getDescription().isEmpty()) {
                    documented.add(
                            "@throws " + simpleName(each.getExceptionName().getSignature()));
                }
            }
            return documented;
        }

        private void add(Tree declaration, String gap) {
            long start = trees.getSourcePositions().getStartPosition(unit, declaration);
            String file = unit.getSourceFile().getName().replace('\\', '/');
            missing.add(file + ":" + unit.getLineMap().getLineNumber(start) + ": " + gap);
        }
    }
}
