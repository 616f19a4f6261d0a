package io.github.convzoo.serve;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.io.SelectorManager;
import org.eclipse.jetty.util.IO;

/** Closes new connections of a client that already has its share, so that it cannot take those of all others. */
final class ClientLimit implements SelectorManager.AcceptListener {

    /** The bytes of an IPv6 address that name a network; whoever has one has all its addresses. */
    private static final int NETWORK = 8;

    private final int most;
    private final Map<SelectableChannel, ByteBuffer> clients = new ConcurrentHashMap<>();
    private final Map<ByteBuffer, Integer> counts = new ConcurrentHashMap<>();

    /**
     * Creates a limit.
     *
     * @param most the number of connections of a client
     */
    ClientLimit(int most) {
        this.most = most;
    }

    /** The part of an address that stands for a client. */
    static ByteBuffer client(InetAddress address) {
        byte[] bytes = address.getAddress();
        return ByteBuffer.wrap(address instanceof Inet6Address ? Arrays.copyOf(bytes, NETWORK) : bytes);
    }

    @Override
    public void onAccepting(SelectableChannel channel) {
        try {
            if (channel instanceof SocketChannel socket
                    && socket.getRemoteAddress() instanceof InetSocketAddress remote) {
                ByteBuffer client = client(remote.getAddress());
                clients.put(channel, client);
                if (counts.merge(client, 1, Integer::sum) > most) {
                    IO.close(channel);
                }
            }
        } catch (IOException e) {
            // It is closed already.
            IO.close(channel);
        }
    }

    @Override
    public void onAcceptFailed(SelectableChannel channel, Throwable cause) {
        onClosed(channel);
    }

    @Override
    public void onClosed(SelectableChannel channel) {
        ByteBuffer client = clients.remove(channel);
        if (client != null) {
            counts.computeIfPresent(client, (key, count) -> count == 1 ? null : count - 1);
        }
    }

    /** The number of clients with open connections. */
    int clients() {
        return counts.size();
    }
}
