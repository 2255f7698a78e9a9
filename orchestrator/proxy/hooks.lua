-- Keep a push waiting while nobody listens at the socket of the hooks. HAProxy's own retries do not wait there: a
-- connection to a Unix socket is refused at once, and what is refused at once is tried again at once.
local SOCKET = "unix@/run/changeover/hooks.sock"
local LONGEST_S, PAUSE_MS = 8.8, 100
-- However many wait, one of them asks, and the others take its No: this process carries the traffic of all apps.
local asked, listens = -1, false

local function seconds()
    local now = core.now()
    return now.sec + now.usec / 1000000
end

local function ask()
    asked = seconds()
    local probe = core.tcp()
    probe:settimeout(1)
    listens = probe:connect(SOCKET)
    probe:close()
end

core.register_action("until_hooks_listen", { "http-req" }, function(txn)
    local started = seconds()
    while true do
        if listens or seconds() - asked > PAUSE_MS / 1000 then ask() end
        if listens or seconds() - started > LONGEST_S then return end
        core.msleep(PAUSE_MS)
    end
end, 0)
