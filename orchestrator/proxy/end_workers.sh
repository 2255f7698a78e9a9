#!/bin/sh
# Runs beside HAProxy in its container, as its user, and ends workers that answer nothing: nobody outside of the container
# may send signals to them, and such a worker takes no signal but SIGKILL. A process id is asked for by a line in the FIFO.
# The report says how many connections of clients that worker had: of port 8080, which is 1F90 in /proc/net/tcp.
fifo=/run/changeover/end-worker
report=/run/changeover/ended-worker

[ -p "$fifo" ] || mkfifo -m 666 "$fifo" || exit 1
while [ -p "$fifo" ]; do
    # Opening the FIFO waits for a writer.
    while read -r pid; do
        case $pid in '' | *[!0-9]* | 1) continue ;; esac
        [ "$(cat "/proc/$pid/comm")" = haproxy ] || continue
        connections=$(
            { readlink "/proc/$pid/fd/"*; cat /proc/net/tcp /proc/net/tcp6; } 2>/dev/null | awk '
                /^socket:/ { gsub(/[^0-9]/, ""); mine[$0] = 1 }
                $4 == "01" && $10 in mine && $2 ~ /:1F90$/ { count++ }
                END { print count + 0 }'
        )
        echo "$pid $connections" > "$report.new" && mv "$report.new" "$report"
        kill -KILL "$pid"
    done < "$fifo"
done
