# tries: names with NUL, bytes that are no text, trailing dots, very long ones
# status: ok
for path in (canary_file + '\0.txt', canary_file.encode() + b'\0', '//' + canary_file, '/./' + canary_file, canary_file + '/',
             canary_file + '/.', '/proc/self/root' + canary_file, '/proc/self/cwd/../../' + canary_file,
             '/proc/thread-self/root' + canary_file, '/dev/fd/../root' + canary_file, '/' * 4000 + canary_file.lstrip('/')):
    fails(repr(path)[:60], open, path, 'rb')
done()
