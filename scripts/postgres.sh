# Functions for the scripts that need a PostgreSQL server of their own; to be sourced after installing.sh.

postgres_data=
postgres_as=()

# postgres_start DIRECTORY PORT: starts a server whose data are in a directory that is there, and puts its programs on the path. Its
# user is `offshoot`, without a password.
postgres_start() {
    command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || debian_packages postgresql
    PATH=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1):$PATH
    postgres_data=$1/postgres
    chmod 755 "$1"
    mkdir "$postgres_data"
    # The server does not start as root.
    if [ "$(id -u)" = 0 ]; then
        postgres_as=(runuser -u nobody --)
        chown nobody "$postgres_data"
    fi
    (
        cd /
        "${postgres_as[@]}" initdb --auth=trust --no-locale --encoding=UTF8 --username offshoot \
            --pgdata "$postgres_data" >/dev/null
        "${postgres_as[@]}" pg_ctl --wait --silent --log "$postgres_data/server.log" --pgdata "$postgres_data" \
            --options "-p $2 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$postgres_data" start
    )
}

# postgres_stop: stops that server, if it was started; its data stay.
postgres_stop() {
    [ -n "$postgres_data" ] || return 0
    (cd / && "${postgres_as[@]}" pg_ctl --mode=fast --silent --pgdata "$postgres_data" stop) || true
}
