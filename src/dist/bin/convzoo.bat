@echo off
rem Runs ConvZoo's command line from an unpacked distribution. Needs a Java runtime of version 17 or later.
setlocal
set "java=java"
if defined JAVA_HOME if exist "%JAVA_HOME%\bin\java.exe" set "java=%JAVA_HOME%\bin\java.exe"
"%java%" --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -Xshare:auto -Dconvzoo.terminal=false ^
  %CONVZOO_OPTS% -cp "%~dp0..\lib\*" io.github.convzoo.cli.Main %*
exit /b %ERRORLEVEL%
