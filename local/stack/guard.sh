# Ends what a parent process started when that parent is gone, however it went (Ctrl-C twice,
# SIGKILL, a crash): the parent holds the other end of stdin, which closes with it.
# Lines read: "add <signal> <pid>", "drop <pid>", "folder <path>" (removed at the end), "keep <path>".
trap '' INT TERM HUP
started=''
folders=''
while read -r verb rest; do
  case "$verb" in
    add) started="$started
$rest" ;;
    drop) started=$(printf '%s\n' "$started" | grep -v " $rest\$") ;;
    folder) folders="$folders
$rest" ;;
    keep) folders=$(printf '%s\n' "$folders" | grep -v -x -F -- "$rest") ;;
  esac
done

each_started() {
  printf '%s\n' "$started" | while read -r signal pid; do
    [ -n "$pid" ] && "$1" "$signal" "$pid"
  done
}
ask() { kill -s "$1" "$2" 2>/dev/null; }
force() { kill -s KILL "$2" 2>/dev/null; }
is_alive() { kill -0 "$2" 2>/dev/null && echo alive; }

each_started ask
tries=0
while [ $tries -lt 50 ] && [ -n "$(each_started is_alive)" ]; do
  sleep 0.1
  tries=$((tries + 1))
done
each_started force
printf '%s\n' "$folders" | while read -r folder; do
  [ -n "$folder" ] && rm -rf -- "$folder"
done
