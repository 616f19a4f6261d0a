package io.github.convzoo.plot;

import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Charts over epochs, side by side: loss and accuracy, for training and validation.
 *
 * @param panels the charts, at least one, from left to right
 */
public record Curves(List<Panel> panels) {

    private static final int WIDTH = 640;
    private static final int HEIGHT = 480;

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if none exists
     */
    public Curves {
        panels = List.copyOf(panels);
        if (panels.isEmpty()) {
            throw new IllegalArgumentException("curves need at least one panel");
        }
    }

    /**
     * One chart.
     *
     * @param quantity the quantity on the vertical axis, with the unit
     * @param lines the lines, with unique names
     */
    public record Panel(String quantity, List<Line> lines) {

        /** Copies the list. */
        public Panel {
            lines = List.copyOf(lines);
        }
    }

    /**
     * One line.
     *
     * @param name its name in the legend
     * @param epochs the positions of its points, ascending
     * @param values one per epoch; a value that is not finite leaves a gap
     */
    public record Line(String name, List<Double> epochs, List<Double> values) {

        /**
         * Copies the lists.
         *
         * @throws IllegalArgumentException if the numbers differ
         */
        public Line {
            epochs = List.copyOf(epochs);
            values = List.copyOf(values);
            if (epochs.size() != values.size()) {
                throw new IllegalArgumentException(
                        name + " has " + values.size() + " values for " + epochs.size() + " epochs");
            }
        }
    }

    /** {@return a picture of the charts, with 640 x 480 pixels per panel} */
    public BufferedImage draw() {
        BufferedImage all = new BufferedImage(WIDTH * panels.size(), HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = all.createGraphics();
        try {
            for (int i = 0; i < panels.size(); i++) {
                graphics.drawImage(BitmapEncoder.getBufferedImage(chart(panels.get(i))), i * WIDTH, 0, null);
            }
        } finally {
            graphics.dispose();
        }
        return all;
    }

    private static XYChart chart(Panel panel) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(panel.quantity())
                .xAxisTitle("epoch")
                .theme(Styler.ChartTheme.Matlab)
                .build();
        // Inside the chart, it would cover the last epochs of rising curves.
        chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideS);
        chart.getStyler().setLegendLayout(Styler.LegendLayout.Horizontal);
        chart.getStyler().setDecimalPattern("#,##0.####");
        for (Line line : panel.lines()) {
            List<Double> epochs = new ArrayList<>();
            List<Double> values = new ArrayList<>();
            for (int i = 0; i < line.values().size(); i++) {
                // XChart treats NaN as a gap and refuses infinity; a line of only gaps has no range.
                if (Double.isFinite(line.values().get(i))) {
                    epochs.add(line.epochs().get(i));
                    values.add(line.values().get(i));
                }
            }
            if (!values.isEmpty()) {
                chart.addSeries(line.name(), epochs, values).setMarker(SeriesMarkers.CIRCLE);
            }
        }
        return chart;
    }
}
