-- Keep a push waiting while nobody listens at the socket of the hooks. HAProxy's own retries do not wait there: a
-- connection to a Unix socket is refused at once, and what is refused at once is tried again at once.
local SOCKET = "unix@/run/changeover/hooks.sock"
local LONGEST_S, PAUSE_MS = 8.8, 100

core.register_action("until_hooks_listen", { "http-req" }, function(txn)
    local started = core.now()
    while true do
        local probe = core.tcp()
        probe:settimeout(1)
        local listens = probe:connect(SOCKET)
        probe:close()
        local now = core.now()
        local waited_s = (now.sec - started.sec) + (now.usec - started.usec) / 1000000
        if listens or waited_s > LONGEST_S then return end
        core.msleep(PAUSE_MS)
    end
end, 0)
