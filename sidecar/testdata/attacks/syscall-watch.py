# tries: watch what others do to files
# status: ok
refused('inotify_init1', 0)
refused('fanotify_init', 0, 0)
refused('fanotify_mark', 0, 0, 0, 0, 0)
done()
